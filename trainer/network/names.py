"""Names of the last layers."""

LOGITS, OWN_LOGITS = "logits", "own_logits"
"""Of the model's classes, and of finer ones learned beside them."""
