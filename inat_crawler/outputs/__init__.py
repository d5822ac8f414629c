"""What is handed over: each reads the store and writes files; no Scrapy, no network."""
