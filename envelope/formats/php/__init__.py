"""What PHP's two formats, serialize and var_export, share."""
