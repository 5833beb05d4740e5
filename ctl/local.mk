# ctl/ - the operator's tool.

