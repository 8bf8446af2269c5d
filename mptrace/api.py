"""What ``import mptrace`` gives to programs and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mptrace.analysis import pipeline, results

if TYPE_CHECKING:
    from collections.abc import Callable

    from mptrace.views.reading import Reading
    from mptrace.views.report.page import ThemeChoice


class Analysis(results.Analysis):
    """What Multipath TCP did in a capture.

    Iterating gives the connections; ``analysis[n]`` is connection n. The four DataFrames are
    built when first asked for and use Wireshark's field names where it has one. A notebook shows
    an analysis as tables.
    """

    @classmethod
    def of(cls, finished: results.Analysis) -> Analysis:
        """A finished analysis that knows how to show itself."""
        return cls(
            capture=finished.capture,
            connection_list=finished.connection_list,
            findings=finished.findings,
            plain_tcp_streams=finished.plain_tcp_streams,
            evidence=finished.evidence,
        )

    def _repr_html_(self) -> str:
        from mptrace.views.notebook import html

        return html(self)


def analyze(
    paths: pipeline.Paths, *, progress: Callable[[int, int], None] | None = None
) -> Analysis:
    """Read a capture and analyze it.

    Args:
        paths: one file, or several that are one capture together (their packets are merged by
            time, as mergecap does); ``-`` is standard input.
        progress: called with the octets read so far and the octets in all.

    Raises:
        CaptureError: nothing can be read. Damage further on is part of the result
            (``analysis.capture.damage``).
    """
    return Analysis.of(pipeline.analyze(paths, progress=progress))


def report(analysis: Reading, *, title: str | None = None, theme: ThemeChoice = "auto") -> str:
    """An analysis as one HTML page that stands for itself, as ``mptrace report`` writes it.

    Args:
        analysis: what `analyze` gave.
        title: the page's title; the capture's name by default.
        theme: ``auto`` (as the reader's system prefers), ``light`` or ``dark``.
    """
    from mptrace.views.report import Options, html

    return html(analysis, Options(title=title, theme=theme))
