"""The spiders: query -> pages -> items."""
