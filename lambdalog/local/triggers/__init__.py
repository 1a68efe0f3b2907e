"""Triggers of functions that AWS has outside of Lambda: schedules (EventBridge), and buckets (S3) as folders or queues."""
