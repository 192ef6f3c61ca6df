"""Whether each camera is really seeing: asked from light to heavy, told in samples and events."""
