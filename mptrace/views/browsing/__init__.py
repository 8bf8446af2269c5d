"""What a browser of packets shows and how it moves, without a screen.

Rows, words, trees and searches are made here for whatever is visible, out of columns, so that a
capture of a million packets costs no million objects; `mptrace.views.tui` draws them.
"""
