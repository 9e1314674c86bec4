-- +goose Up

-- Since when official values stand as they do, by their names in the journal: those that have changed since the cabinet was made. The journal
-- tells it too, but only for as long as its months are kept.
ALTER TABLE cabinet ADD COLUMN changed_at jsonb NOT NULL DEFAULT '{}';

UPDATE cabinet
SET changed_at = changed.at
FROM (
	SELECT person_id, jsonb_object_agg(field, at) AS at
	FROM (
		SELECT person_id, detail->>'field' AS field, max(at) AS at
		FROM journal
		WHERE kind = 'profile.changed'
		GROUP BY person_id, field
	) AS last
	GROUP BY person_id
) AS changed
WHERE changed.person_id = cabinet.person_id;
