"""Whether a camera's picture shows what it should: judged on small grey thumbnails, with Pillow alone.

Pillow is loaded here and only here, so that a node without snapshots never pays for it.
"""
