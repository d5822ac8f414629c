"""A small, nasty iNaturalist on localhost: the API, its two photo hosts, and a control interface.

The demo and the end-to-end tests crawl it. It imports nothing of `inat_crawler`: were the paging shared, its
mistakes would cancel out. Start it with `python -m standin`, drive it with `standin.client.Standin`.
"""
