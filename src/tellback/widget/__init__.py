"""The widget's door: /widget.js, the code that it loads, and what that code asks for."""
