"""The bootstrap over SSH: what a cluster needs to be watched, shown as a plan, applied and verified."""
