"""What sources and sinks share of video: pictures, colours, H.264."""
