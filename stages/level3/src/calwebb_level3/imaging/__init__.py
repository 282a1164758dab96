"""Array algorithms of stage 3 imaging, called by the steps."""
