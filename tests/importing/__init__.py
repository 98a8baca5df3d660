"""Files of every format that is known, made up by us, and what comes of them."""
