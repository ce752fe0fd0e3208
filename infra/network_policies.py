"""What may be asked for through a network's endpoints, and what flow logs may write."""

from __future__ import annotations

from infra.naming import PROJECT, Naming, bucket_arn
from infra.policy_documents import ANYONE, Document, Text, allow, document, trust


def s3_endpoint_policy(naming: Naming, region: str, account_ids: tuple[str, ...]) -> Document:
    """Policy of a way to S3: to the stack's buckets, and to the layers of container images, and nowhere else.

    What a task could read it could otherwise put into anybody's bucket.
    """
    own = bucket_arn(f"{PROJECT}-{naming.stack}-*")
    layers = bucket_arn(f"prod-{region}-starport-layer-bucket/*")
    return document(
        allow(
            "OwnBuckets",
            ("s3:*",),
            (own, f"{own}/*"),
            principal=ANYONE,
            condition={
                "StringEquals": {
                    "aws:PrincipalAccount": naming.account_id,
                    "aws:ResourceAccount": list(account_ids),
                }
            },
        ),
        allow("ImageLayers", ("s3:GetObject",), (layers,), principal=ANYONE),
    )


def endpoint_policy(naming: Naming, service: str) -> Document:
    """Policy of a way to another service: only with credentials of the stack's account."""
    return document(
        allow(
            "OwnAccount",
            (f"{service}:*",),
            ("*",),
            principal=ANYONE,
            condition={"StringEquals": {"aws:PrincipalAccount": naming.account_id}},
        )
    )


def flow_log_policy(group_arn: Text) -> Document:
    """Policy of the role that writes a network's flow logs."""
    return document(
        allow(
            "WriteFlowLogs",
            ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            (group_arn,),
        ),
        # Listing log groups names none of them.
        allow("FindLogGroup", ("logs:DescribeLogGroups",), ("*",)),
    )


def flow_log_trust(naming: Naming, region: str) -> Document:
    """Who assumes that role: flow logs of this account (Amazon VPC user guide, "IAM role for publishing flow logs")."""
    # The id of a flow log is drawn when it is made, with this role.
    source = naming.arn("ec2", region, "vpc-flow-log/*")
    return trust("vpc-flow-logs.amazonaws.com", naming.account_id, condition={"ArnLike": {"aws:SourceArn": source}})
