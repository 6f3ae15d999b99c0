"""What an auditor needs to check the log without trusting this service: Python and `cryptography`, no more of ours.

`notes` reads signed checkpoints, `hashes` computes the tree, `records` checks one record, `stored` a whole log.
`main` is the command; `cds log verifier` writes all of it as one file.
"""
