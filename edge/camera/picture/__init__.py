"""Whether a camera's picture shows what it should: judged on small grey thumbnails, with Pillow alone.

Pillow is loaded in a child process that lives for one picture (`child.py`), never in the agent itself: decoding
there took the agent from 36 to 41 MB with a plain JPEG and to 53 MB with a progressive one.
"""
