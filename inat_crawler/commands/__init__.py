"""What a user does: `scrapy crawl` with the exit statuses of this project."""
