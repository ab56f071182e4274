"""What tells who the patient is: names in headers, and titles and warnings without them."""
