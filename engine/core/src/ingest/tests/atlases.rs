//! Atlases: given, derived, extended.

use super::*;
use crate::model::AttributeValues;

const TABLE: &str =
    "cell_type,region,side,hex1,hex2,synapses\nMi1,ME,R,3,4,5\nMi1,LO,R,3,4,5\nMi1,ME,L,-1,2,5\n";

#[test]
fn without_a_file_the_atlas_has_the_columns_of_the_table() {
    let dataset = Bench::new().read(TABLE);
    assert!(dataset.atlas.derived);
    assert_eq!(dataset.atlas.right.columns, [column(3, 4)]);
    assert_eq!(dataset.atlas.right.regions, [0b11]);
    assert_eq!(dataset.atlas.left.columns, [column(-1, 2)]);
    assert_eq!(
        dataset.notes,
        [
            "the atlas is derived from the table: a column where no cell type has a row does not appear"
        ]
    );
}

#[test]
fn attributes_have_the_types_of_their_values() {
    let bench = Bench::new().with_atlas(
        "region,class,side,hex1,hex2,rank,x\nME,pale,R,3,4,1,0.5\nLO,,R,3,4,,1\nME,yellow,L,-1,2,-7,NA\nME,pale,R,1,9,2,3\n",
    );
    let dataset = bench.read(TABLE);
    assert!(dataset.notes.is_empty());
    assert_eq!(dataset.atlas.attribute_names, ["class", "rank", "x"]);
    let right = &dataset.atlas.right;
    assert_eq!(right.columns, [column(1, 9), column(3, 4)]);
    assert_eq!(right.regions, [0b01, 0b11]);
    assert_eq!(
        right.attributes[0],
        [
            AttributeValues::Text(vec![Some("pale".into()), Some("pale".into())]),
            AttributeValues::I64(vec![Some(2), Some(1)]),
            AttributeValues::F64(vec![Some(3.0), Some(0.5)]),
        ]
    );
    assert_eq!(
        right.attributes[1][2],
        AttributeValues::F64(vec![None, Some(1.0)])
    );
    assert_eq!(
        dataset.atlas.left.attributes[0][1],
        AttributeValues::I64(vec![Some(-7)])
    );
}

#[test]
fn a_row_outside_the_atlas_is_refused() {
    let bench = Bench::new().with_atlas("region,side,hex1,hex2\nME,R,3,4\nLO,L,3,4\n");
    insta::assert_snapshot!(bench.refusal_of(TABLE), @r#"
    counts.csv, line 3: the column 3, 4 is not in the atlas atlas.csv for this region and side
    help: to add such columns to the atlas, write
    [atlas]
    unlisted = "add"
    "#);
}

#[test]
fn a_row_outside_the_atlas_can_be_added() {
    let mut bench = Bench::new().with_atlas("region,side,hex1,hex2,class\nME,R,3,4,a\n");
    bench.atlas.unlisted = Unlisted::Add;
    let dataset = bench.read(TABLE);
    assert_eq!(dataset.atlas.right.regions, [0b11]);
    assert_eq!(
        dataset.atlas.right.attributes[1],
        [AttributeValues::Text(vec![None])]
    );
    let note = dataset.notes[0].replace(&format!("{}/", bench.folder.path().display()), "");
    assert_eq!(
        note,
        "2 columns of the table are not in atlas.csv and were added"
    );
}

#[test]
fn faults_of_an_atlas_are_refused() {
    let refusal = |text: &str| Bench::new().with_atlas(text).refusal_of(TABLE);
    insta::assert_snapshot!(refusal("region,side,hex1,hex2\nME,R,3,4\nLO,R,3,4\nME,right,3,4\n"), @"
    atlas.csv, line 4: the same region, side and column as line 2
    help: keep one of the two rows
    ");
    insta::assert_snapshot!(refusal("region,side,hex1,hex2\nMA,R,3,4\n"), @r#"
    atlas.csv, line 2, column region: "MA" is not a configured region
    help: is "ME" meant? the regions are "ME", "LO", "LOP"; to add one, write
    [[regions]]
    name = "MA"
    layers = [...]
    "#);
    insta::assert_snapshot!(refusal("region,side,p,q\nME,R,3,4\n"), @r#"
    atlas.csv: no columns "hex1", "hex2"
    help: the file has the columns "region", "side", "p", "q"; to say where they come from, write
    [atlas.columns]
    hex1 = "q"
    hex2 = "p"
    "#);
    insta::assert_snapshot!(refusal("region,side,hex1,hex2\n"), @"atlas.csv: has a header and no rows");
}
