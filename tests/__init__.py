"""What spans packages: architecture, browser, trust, docs."""
