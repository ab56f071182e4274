"""What is drawn over the layers in a view, and how a view is oriented."""
