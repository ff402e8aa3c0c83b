"""Fields of models and forms that both apps share."""
