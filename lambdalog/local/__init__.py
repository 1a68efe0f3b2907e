"""boto3-shaped doubles of CloudWatch Logs, SQS, SNS and Lambda, on a store in a folder. No HTTP here."""
