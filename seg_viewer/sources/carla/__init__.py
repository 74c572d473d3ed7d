"""CARLA: the simulator as a source."""
