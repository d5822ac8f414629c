"""What iNaturalist is: pure values in, values out; no Scrapy, no network, no files."""
