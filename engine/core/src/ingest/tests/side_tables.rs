//! Tables for stages.

use super::*;

#[test]
fn columns_of_a_side_table_are_typed_by_their_values() {
    let bench = Bench::new();
    let text = "p,x,name,gap\n2,0.5,a,\n3,NaN,,\n-4,1e3,NA,\n";
    let path = bench.write("directions.csv", text);
    let table = read_side_table(&path).unwrap();
    assert_eq!((table.rows, table.hash), (3, blake3::hash(text.as_bytes())));
    let of = |name: &str| {
        table
            .column(name)
            .map(|c| (c.values.clone(), c.valid.clone()))
            .unwrap()
    };
    assert_eq!(of("p"), (SideValues::I64(vec![2, 3, -4]), vec![]));
    assert_eq!(
        of("x"),
        (SideValues::F64(vec![0.5, 0.0, 1000.0]), vec![1, 0, 1])
    );
    let names = vec!["a".into(), "".into(), "NA".into()];
    assert_eq!(of("name"), (SideValues::Text(names), vec![1, 0, 1]));
    assert_eq!(of("gap").1, [0, 0, 0]);
}

#[test]
fn a_missing_side_table_names_itself() {
    let bench = Bench::new();
    let error = read_side_table(&bench.path("none.csv")).unwrap_err();
    assert!(
        error.to_string().ends_with("none.csv: cannot be read"),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
}
