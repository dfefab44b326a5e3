"""What we send: drafts, approval, policy, and delivery over real channels."""
