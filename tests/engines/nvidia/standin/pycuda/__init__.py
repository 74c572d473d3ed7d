"""Stand-in for PyCUDA on host memory; its surface is checked against PyCUDA's own by the contract test."""
