"""Events that flag whole regions: snowballs in the near infrared, showers in MIRI."""
