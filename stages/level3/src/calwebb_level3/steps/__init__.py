"""The steps of the stage 3 pipelines, one module each."""
