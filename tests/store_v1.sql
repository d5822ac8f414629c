-- A store as version 1 of the schema left it: the tests bring it to the current one.
BEGIN TRANSACTION;
CREATE TABLE crawls (
	mirror_id BIGINT NOT NULL, 
	crawl_id BIGINT NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT, 
	arguments TEXT NOT NULL, 
	account TEXT, 
	PRIMARY KEY (mirror_id, crawl_id)
);
INSERT INTO "crawls" VALUES(1,1,'2026-05-01T10:00:00+00:00','2026-11-25T01:47:36.989+00:00','{"images": "all", "sizes": ["square"], "limit": 0}','{"complete": false}');
CREATE TABLE files (
	mirror_id BIGINT NOT NULL, 
	observation_id BIGINT NOT NULL, 
	photo_id BIGINT NOT NULL, 
	size TEXT NOT NULL, 
	url TEXT, 
	status TEXT, 
	path TEXT, 
	reason TEXT, 
	bytes BIGINT, 
	sha256 TEXT, 
	width BIGINT, 
	height BIGINT, 
	mtime_ns BIGINT, 
	fetched_at TEXT, 
	PRIMARY KEY (mirror_id, observation_id, photo_id, size)
);
INSERT INTO "files" VALUES(1,9,90,'square','http://127.0.0.2/photos/90/square.jpg','downloaded','9Sq.jpg',NULL,1,'00',NULL,NULL,NULL,'2026-05-01T10:00:01.000');
INSERT INTO "files" VALUES(1,9,91,'square','http://127.0.0.2/photos/91/square.jpg','dropped','9_91Sq.jpg',NULL,1,'00',NULL,NULL,NULL,'2026-05-01T10:00:01.000');
INSERT INTO "files" VALUES(1,8,80,'square','http://127.0.0.2/photos/80/square.jpg','downloaded','8Sq.jpg',NULL,1,'00',NULL,NULL,NULL,'2026-05-01T10:00:01.000');
CREATE TABLE malformed (
	mirror_id BIGINT NOT NULL, 
	window_id BIGINT NOT NULL, 
	page_begin BIGINT NOT NULL, 
	number BIGINT NOT NULL, 
	observation_id BIGINT, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (mirror_id, window_id, page_begin, number)
);
INSERT INTO "malformed" VALUES(1,1,0,0,6,'`location` is odd');
INSERT INTO "malformed" VALUES(1,1,0,1,NULL,'has no id');
CREATE TABLE mirrors (
	mirror_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	"query" TEXT NOT NULL, 
	text TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (mirror_id), 
	UNIQUE ("key")
);
INSERT INTO "mirrors" VALUES(1,'ef3d33d68552a3f8','{"params": {"place_id": "1"}, "id_above": 0, "id_below": null}','geo=any identified=any place_id=1 rank=any','2026-11-25T01:47:36.956+00:00');
CREATE TABLE observations (
	mirror_id BIGINT NOT NULL, 
	id BIGINT NOT NULL, 
	uuid TEXT, 
	uri TEXT, 
	quality_grade TEXT, 
	taxon_id BIGINT, 
	taxon_name TEXT, 
	taxon_rank TEXT, 
	taxon_common_name TEXT, 
	iconic_taxon_name TEXT, 
	community_taxon_id BIGINT, 
	species_guess TEXT, 
	observed_on TEXT, 
	time_observed_at TEXT, 
	created_at TEXT, 
	updated_at TEXT, 
	latitude TEXT, 
	longitude TEXT, 
	positional_accuracy BIGINT, 
	public_positional_accuracy BIGINT, 
	obscured BOOLEAN, 
	geoprivacy TEXT, 
	taxon_geoprivacy TEXT, 
	place_guess TEXT, 
	captive BOOLEAN, 
	license_code TEXT, 
	description TEXT, 
	user_id BIGINT, 
	user_login TEXT, 
	user_name TEXT, 
	created_instant FLOAT NOT NULL, 
	digest TEXT NOT NULL, 
	record_digest TEXT NOT NULL, 
	stored_at TEXT NOT NULL, 
	changed_at TEXT NOT NULL, 
	record BLOB NOT NULL, 
	PRIMARY KEY (mirror_id, id)
);
INSERT INTO "observations" VALUES(1,9,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Octopus',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.0,'f8f69be2d4b77bd23fc4245f90c0595e','ce9d50df9b75b74f096d15d1b8ce698d','2026-11-25T01:47:36.963+00:00','2026-11-25T01:47:36.963+00:00',X'28B52FFD20221101007B226964223A392C22737065636965735F6775657373223A224F63746F707573227D');
INSERT INTO "observations" VALUES(1,8,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.0,'5763e8f9208439fcf9bacfebd97b07c4','bb78edfe764645b0d28129e53da8c195','2026-11-25T01:47:36.963+00:00','2026-11-25T01:47:36.963+00:00',X'28B52FFD20084100007B226964223A387D');
INSERT INTO "observations" VALUES(1,7,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.0,'129cc4473dd104c60ce7f643090bc33c','aa10550bd6039b9b162e5e246a52311b','2026-11-25T01:47:36.963+00:00','2026-11-25T01:47:36.963+00:00',X'28B52FFD20084100007B226964223A377D');
CREATE TABLE photos (
	mirror_id BIGINT NOT NULL, 
	observation_id BIGINT NOT NULL, 
	id BIGINT NOT NULL, 
	position BIGINT, 
	url TEXT, 
	extension TEXT, 
	license_code TEXT, 
	attribution TEXT, 
	width BIGINT, 
	height BIGINT, 
	hidden BOOLEAN, 
	PRIMARY KEY (mirror_id, observation_id, id)
);
INSERT INTO "photos" VALUES(1,9,90,0,'http://127.0.0.2/photos/90/square.jpg','jpg',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES(1,9,91,1,'http://127.0.0.2/photos/91/square.jpg','jpg',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES(1,8,80,0,'http://127.0.0.2/photos/80/square.jpg','jpg',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE untold (
	mirror_id BIGINT NOT NULL, 
	observation_id BIGINT NOT NULL, 
	change TEXT NOT NULL, 
	PRIMARY KEY (mirror_id, observation_id)
);
INSERT INTO "untold" VALUES(1,7,'new');
CREATE TABLE windows (
	mirror_id BIGINT NOT NULL, 
	window_id BIGINT NOT NULL, 
	id_above BIGINT, 
	id_below BIGINT, 
	cursor BIGINT, 
	top BIGINT, 
	total BIGINT, 
	read BIGINT, 
	done BOOLEAN, 
	PRIMARY KEY (mirror_id, window_id)
);
INSERT INTO "windows" VALUES(1,1,0,NULL,7,9,4,4,1);
CREATE INDEX newest_first ON observations (mirror_id, created_instant, id);
CREATE INDEX same_photo ON files (mirror_id, photo_id, size);
COMMIT;
