"""Every knob of a crawl, in the order of the journey, each with its reason.

Own settings begin with INAT_ and are also read from environment variables of the same name; this is the only
module that reads the environment. `docs/settings.md` explains them for users.
"""

import os

BOT_NAME = "inat_crawler"
SPIDER_MODULES = ["inat_crawler.spiders"]
COMMANDS_MODULE = "inat_crawler.commands"  # our `crawl` adds the exit statuses to Scrapy's own

# -- query: what is asked, of whom, and where it goes ---------------------------------------------------------
INAT_API_ROOT = os.environ.get("INAT_API_ROOT", "https://api.inaturalist.org/v1")
INAT_OUTPUT_ROOT = os.environ.get("INAT_OUTPUT_ROOT", "output")  # mirrors lie below it unless -a output names one
INAT_API_TOKEN = os.environ.get("INAT_API_TOKEN", "")  # a secret, never by -s; sent only with -a private=true
INAT_STORE_URL = os.environ.get("INAT_STORE_URL", "")  # empty: observations.sqlite in the output folder

# -- budget: manners ------------------------------------------------------------------------------------------
INAT_CONTACT = os.environ.get("INAT_CONTACT", "")  # the API asks for a User-Agent that names a contact
# The API asks for 60 a minute or fewer, and a client at exactly 60 was refused: 55, one every 1.1 s.
INAT_API_REQUESTS_PER_MINUTE = os.environ.get("INAT_API_REQUESTS_PER_MINUTE", "55")
# The other limits leave a twentieth free: what a browser on the same line needs, and headers, count there too.
INAT_API_REQUESTS_PER_DAY = os.environ.get("INAT_API_REQUESTS_PER_DAY", "9500")  # asked: under 10,000
INAT_MEDIA_BYTES_PER_HOUR = os.environ.get("INAT_MEDIA_BYTES_PER_HOUR", "4750000000")  # asked: under 5 GB
INAT_MEDIA_BYTES_PER_DAY = os.environ.get("INAT_MEDIA_BYTES_PER_DAY", "22800000000")  # asked: under 24 GB
INAT_MEDIA_EXEMPT_HOSTS = os.environ.get("INAT_MEDIA_EXEMPT_HOSTS", "")  # such as the open-data bucket
INAT_BUDGET_URL = os.environ.get("INAT_BUDGET_URL", "")  # empty: a file of the user's that all crawls share
INAT_BUDGET_HOUR_SECONDS = os.environ.get("INAT_BUDGET_HOUR_SECONDS", "3600")  # shorter in tests
# What failed is asked again after about this many seconds, then after twice as many, and so on up to a minute.
INAT_BACKOFF_SECONDS = os.environ.get("INAT_BACKOFF_SECONDS", "1")
ROBOTSTXT_OBEY = False  # a documented API with published limits; robots.txt speaks to crawlers of its web pages
COOKIES_ENABLED = False  # the API has no sessions; a photo host must not learn who else was asked
REFERER_ENABLED = False  # same
# An API that redirects is not the API; a photo that does has moved, and its record says where to.
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
RETRY_TIMES = 5  # default 2; a page that is given up ends the crawl, a photo is tried again by the next run
DOWNLOAD_SLOTS = {"inat_api": {"concurrency": 1, "delay": 0, "jitter": 0}}  # BudgetMiddleware paces it
# In the place of Scrapy's own, which would send requests again that nobody counts.
DOWNLOAD_HANDLERS = {
    "http": "inat_crawler.handlers.OnceDownloadHandler",
    "https": "inat_crawler.handlers.OnceDownloadHandler",
}
DOWNLOADER_MIDDLEWARES = {
    "inat_crawler.middlewares.UserAgentMiddleware": 500,  # in the place of Scrapy's own
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "inat_crawler.middlewares.BudgetMiddleware": 560,
}

# -- pages ------------------------------------------------------------------------------------------------------
DOWNLOAD_TIMEOUT = 120  # default 180; a page of 200 records is up to 8 MB
DOWNLOAD_MAXSIZE = 256 * 1024 * 1024  # default 1 GiB; the largest pages seen stay below 40 MB
DOWNLOAD_WARNSIZE = 64 * 1024 * 1024  # default 32 MiB; a page of long discussions may reach that
URLLENGTH_LIMIT = 0  # default 2083, beyond which a page would silently not be asked for: a query may list many ids

# -- sync -------------------------------------------------------------------------------------------------------
# Then all ids are compared, not the counts alone.
INAT_AUDIT_EVERY_DAYS = os.environ.get("INAT_AUDIT_EVERY_DAYS", "30")

# -- photos -----------------------------------------------------------------------------------------------------
CONCURRENT_REQUESTS_PER_DOMAIN = 16  # default 8; connections to each photo host, held by PhotosPipeline
CONCURRENT_REQUESTS = 100  # default 16; the photo hosts at full width must leave room for pages
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 0.1  # default 5 s, which would take a minute to come down
DOWNLOAD_DELAY_JITTER = (
    0  # default 0.5; PhotosPipeline waits for auto-throttle's delay before it hands a request over
)
AUTOTHROTTLE_MAX_DELAY = 10  # default 60
AUTOTHROTTLE_TARGET_CONCURRENCY = 16  # default 1; as many as there are connections

# -- store, feed, table -----------------------------------------------------------------------------------------
ITEM_PIPELINES = {
    "inat_crawler.pipelines.StorePipeline": 100,
    "inat_crawler.pipelines.PhotosPipeline": 200,
}
FEED_EXPORTERS = {"tsv": "inat_crawler.exporters.TsvItemExporter"}
FEED_EXPORT_ENCODING = "utf-8"  # default: \u escapes in JSON

# -- the crawl as a whole ---------------------------------------------------------------------------------------
EXTENSIONS = {
    "scrapy.extensions.feedexport.FeedExporter": None,
    "inat_crawler.extensions.Feeds": 0,  # in its place
    "inat_crawler.extensions.FinishCrawl": 500,
    "scrapy.extensions.logstats.LogStats": None,
    "inat_crawler.extensions.Progress": 600,  # in its place; its display is up until the account is written
}
# Between two lines on how far the crawl is, where no display shows it.
INAT_PROGRESS_SECONDS = os.environ.get("INAT_PROGRESS_SECONDS", "60")
LOG_LEVEL = "INFO"  # default DEBUG, which prints every item
TELNETCONSOLE_ENABLED = False  # opens a port
REMOTE_CONTROL_ENABLED = False  # opens a port
