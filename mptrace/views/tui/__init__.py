"""The browser in the terminal: draws what `mptrace.views.browsing` makes, with Textual."""
