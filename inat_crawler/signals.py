"""Signals of this project, beside Scrapy's own: sent through a crawler's signal manager, heard by extensions."""

# Something waits. Arguments: `what` ("api" or "photos"), `reason` (text for the user, without the time), `seconds`
# (how long, as known now; 0: it goes on). It is sent again when either changes.
waiting = object()
