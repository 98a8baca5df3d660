"""Pages of the widget: its settings with a live preview, and the demo site."""
