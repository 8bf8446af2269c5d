"""Views of a finished analysis: text, JSON, tables, HTML.

A view reads the analysis and computes nothing about the protocol. What the views for people show
(rows, labels, units, words) comes from :mod:`mptrace.views.summary`, so that they cannot disagree.
"""
