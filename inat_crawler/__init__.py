"""A mirror of iNaturalist observations: query -> budget -> page -> record -> photos -> store -> table."""

__version__ = "0.1.0"
__url__ = "https://github.com/inat-crawler/inat_crawler"
