"""Find and outline small brain tumours in MRI.

Research software: not a medical device, not for diagnosis.
"""
