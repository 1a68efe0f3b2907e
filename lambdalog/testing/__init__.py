"""A private cloud for tests of your own: CloudWatch Logs, SQS, SNS and Lambda, for as long as a test takes.

    def test_orders(lambdalog_cloud):                  # a fixture of pytest, there once lambdalog is installed
        boto3.client("sqs").create_queue(QueueName="orders-dlq")

    with local_cloud() as cloud: ...                   # the same without pytest; also a decorator

Importing this loads no AWS SDK and no server: what is needed comes when a cloud is made.
"""

from __future__ import annotations

from lambdalog.testing.local import LocalCloud, local_cloud

__all__ = ["LocalCloud", "local_cloud"]
