"""`scrapy taxa NAME`: which taxa iNaturalist has for a name; all else as in `scrapy places`."""

from inat_crawler.api.names import KINDS
from inat_crawler.commands import places


class Command(places.Command):
    """List the taxa of a name."""

    kind, kinds = KINDS["taxon"], "taxa"
