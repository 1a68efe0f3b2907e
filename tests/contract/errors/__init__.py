"""Errors as AWS was recorded to word them: code, status and text, from the doubles and from boto3 by the wire protocols."""
