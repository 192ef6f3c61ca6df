"""How a camera and its recorder are asked over the network: RTSP, HTTP, ONVIF, a mounted share."""
