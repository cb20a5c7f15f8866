"""From samples to the model, as pure functions: label spellings and dialects end here."""
