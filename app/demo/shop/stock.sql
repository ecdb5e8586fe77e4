-- SPDX-License-Identifier: Apache-2.0
-- The database of the demo shop.

CREATE TABLE stock (product integer PRIMARY KEY, name text NOT NULL, amount integer NOT NULL);
CREATE TABLE orders (
  number bigserial PRIMARY KEY,
  product integer NOT NULL,
  credit boolean NOT NULL
);
-- What makes an order slow: the waterfall shows it.
CREATE FUNCTION check_credit() RETURNS boolean LANGUAGE sql VOLATILE
  AS 'SELECT pg_sleep(0.01 + 0.02 * random()) IS NOT NULL';
INSERT INTO stock
SELECT n, (ARRAY['chair', 'table', 'lamp', 'shelf', 'stool'])[1 + n % 5] || ' ' || n, 100000
FROM generate_series(1, 500) AS n;
