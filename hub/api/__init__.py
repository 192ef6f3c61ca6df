"""The HTTP API: routes, response models, one error shape, the event stream."""
