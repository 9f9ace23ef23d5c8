INSERT INTO {schema}.epochs AS e (namespace, principal, epoch)
VALUES ($1, $2, 1)
ON CONFLICT (namespace, principal) DO UPDATE SET epoch = e.epoch + 1
RETURNING epoch
