"""Programs that bench starts, one a reader, each in the Python of its own environment. They talk JSON lines: a request
{"image": path, "layout": "page" | "line"} in, {"lines": [...], "seconds", "cpu_seconds", "rss_mb", "peak_mb"} out."""
