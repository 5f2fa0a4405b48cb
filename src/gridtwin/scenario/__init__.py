"""What a scenario and a model file may say: frozen schemas and their readers."""
