"""What happens to an observation: it is stored with its page, then its photos are fetched and kept."""

from inat_crawler.pipelines.photos import PhotosPipeline
from inat_crawler.pipelines.store import StorePipeline

__all__ = ["PhotosPipeline", "StorePipeline"]
