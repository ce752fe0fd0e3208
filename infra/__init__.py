"""What exists on AWS, declared with Pulumi."""
