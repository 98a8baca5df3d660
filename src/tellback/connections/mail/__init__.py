"""Mail that comes in, from providers' webhooks and from mailboxes, read into one shape. Accepting it is intake's."""
