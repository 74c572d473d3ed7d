"""What the commands and the window do: export, record, measure, check. Knows no Qt."""
