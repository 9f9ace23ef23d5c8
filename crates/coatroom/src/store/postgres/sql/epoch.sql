SELECT epoch FROM {schema}.epochs WHERE namespace = $1 AND principal = $2
